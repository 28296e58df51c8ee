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
      starts: 1,
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
          '--starts',
          '2',
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
      starts: 2,
    });
  });

  test('start processes several times where everything is measured', () => {
    expect(readOptions(['--full'], names)).toMatchObject({ rounds: 4, starts: 3 });
  });

  test.each([[['--only', 'speed']], [['--rounds', '0']], [['--rounds', 'many']], [['--starts', '0']], [['--fast']], [['established']]])(
    'refuse %j',
    (args) => {
      expect(() => readOptions(args, names)).toThrow(UsageError);
    },
  );
});
