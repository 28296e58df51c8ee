// What a round is timed with, in milliseconds.
import type { Clock } from './messages.ts';

export const CLOCKS: Readonly<Record<Clock, () => number>> = {
  wall: () => performance.now(),
  cpu: () => {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1000;
  },
};
