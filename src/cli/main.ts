#!/usr/bin/env node
// The program `svcplane`: run() with the process behind it.
import { readFileSync } from 'node:fs';
import { isatty } from 'node:tty';
import type { Io } from './io.ts';
import { run } from './run.ts';

// A reader that has seen enough, as in `svcplane render … | head`, is no error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit(0);
});

const io: Io = {
  stdout: (result) => void process.stdout.write(result),
  stderr: (text) => void process.stderr.write(text),
  stdin({ isCapture = false } = {}) {
    const readOn = () => {};
    if (isCapture && !isatty(0)) process.on('SIGINT', readOn);
    const bytes = readFileSync(0);
    process.off('SIGINT', readOn);
    return bytes;
  },
  isTTY: process.stdout.isTTY === true,
  env: process.env,
  now: Date.now,
  untilStopped: () =>
    new Promise((resolve) => {
      for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve());
    }),
};

run(process.argv.slice(2), io).then((code) => {
  process.exitCode = code;
});
