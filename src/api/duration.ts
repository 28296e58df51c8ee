// Go's durations (`1h0m0s`, `500ms`), as Kubernetes configuration writes them.

const secondsOf: Readonly<Record<string, number>> = { h: 3600, m: 60, s: 1, ms: 1e-3, us: 1e-6, µs: 1e-6, ns: 1e-9 };
const durationForm = /^-?(?:\d+(?:\.\d+)?(?:h|ms|m|s|us|µs|ns))+$/;

/** Seconds of a Go duration; undefined when it is none. `0` needs no unit. */
export function parseDuration(text: string): number | undefined {
  if (text === '0') return 0;
  if (!durationForm.test(text)) return undefined;
  let seconds = 0;
  for (const [, amount, unit] of text.matchAll(/(\d+(?:\.\d+)?)(h|ms|m|s|us|µs|ns)/g)) {
    seconds += Number(amount) * (secondsOf[unit ?? ''] ?? 0);
  }
  return text.startsWith('-') ? -seconds : seconds;
}
