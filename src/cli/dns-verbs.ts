// What the `dns` verbs do, with all of the DNS behind it: dns.ts loads this file when one of them is called.
export { explain } from './dns-explain.ts';
export { query } from './dns-query.ts';
export { serve } from './dns-serve.ts';
