// What a page runs: one packet, and the result where the test finds it.
import * as svcplane from 'svcplane';
import { sendOne } from './objects.mjs';

sendOne(svcplane).then(
  (sent) => {
    globalThis.sent = sent;
  },
  (error) => {
    globalThis.sent = { error: String(error) };
  },
);
