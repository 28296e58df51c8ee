import { describe, expect, test } from 'vitest';
import { readOptions, UsageError } from '../../bench/options.ts';

const names = ['established', 'allocation'];

describe('the arguments of the benchmark', () => {
  test('are tables of all questions by default', () => {
    expect(readOptions([], names)).toEqual({
      json: false,
      smoke: false,
      full: false,
      only: [],
      rounds: 7,
      clock: 'wall',
      note: 'nothing is known of what else the machine did',
    });
  });

  test('choose questions, rounds and output', () => {
    expect(
      readOptions(
        [
          '--json',
          '--smoke',
          '--cpu-time',
          '--save',
          'out.jsonl',
          '--note',
          'quiet',
          '--only',
          'established',
          '--only',
          'allocation',
          '--rounds',
          '5',
        ],
        names,
      ),
    ).toEqual({
      json: true,
      smoke: true,
      full: false,
      save: 'out.jsonl',
      note: 'quiet',
      clock: 'cpu',
      only: ['established', 'allocation'],
      rounds: 5,
    });
  });

  test.each([[['--only', 'speed']], [['--rounds', '0']], [['--rounds', 'many']], [['--fast']], [['established']]])('refuse %j', (args) => {
    expect(() => readOptions(args, names)).toThrow(UsageError);
  });
});
