import { describe, expect, test } from 'vitest';
import type { Measurement } from '../../bench/measurement.ts';
import { timesAsLong, whereWasmLoses } from '../../bench/measurement.ts';
import type { Question } from '../../bench/question.ts';
import { alignColumns, allocationLine, measurementLine, questionText } from '../../bench/report.ts';

const wasm: Measurement = {
  bench: 'scan-or-lookup',
  case: 'ipvs any',
  variant: 'wasm',
  size: 1000,
  cold: 5000.123,
  min: 40,
  median: 50.456,
  startMedians: [49, 50.456, 52],
  p95: 60,
  ratioToWasm: { median: 1, min: 1, max: 1 },
  ratioToTwin: { median: 2, min: 1.6, max: 2.5 },
  rulesEvaluated: 12,
  rounds: 3,
};
const twin: Measurement = {
  ...wasm,
  variant: 'twin',
  median: 25,
  ratioToWasm: { median: 0.5, min: 0.4, max: 0.6 },
  ratioToTwin: { median: 1, min: 1, max: 1 },
};

describe('a line of JSON', () => {
  test('begins with the eight agreed fields in their order', () => {
    const line = measurementLine(wasm);
    expect(line).toMatch(
      /^\{"bench":"scan-or-lookup\/ipvs-any","variant":"wasm","size":1000,"nsPerPacket":50.46,"min":40,"median":50.46,"p95":60,"unit":"ns\/packet",/,
    );
    expect(line).not.toContain('\n');
  });

  test('of the allocation gate has the same fields, in bytes a packet', () => {
    const line = allocationLine({ packets: 512, calls: 2, bytesPerPacket: [0.5, 0, 0.25], nsPerPacket: [60, 50, 70] });
    const fields = Object.keys(JSON.parse(line)).slice(0, 8);
    expect(fields).toEqual(['bench', 'variant', 'size', 'nsPerPacket', 'min', 'median', 'p95', 'unit']);
    expect(line).toContain('"nsPerPacket":60,"min":0,"median":0.25,"p95":0.475,"unit":"bytes/packet"');
  });
});

describe('a table', () => {
  const question: Question = {
    name: 'scan-or-lookup',
    text: 'Which one?',
    sizeOf: 'Services',
    cases: [],
    fullCases: [],
    smokeCases: [],
    reading: () => 'this one.',
  };

  test('ends numbers in line, begins text in line, and has nothing behind a line', () => {
    const rows = [
      ['name', 'size'],
      ['a', '1,000'],
      ['longer', ''],
    ];
    expect(alignColumns(rows, new Set([0]))).toBe('name     size\na       1,000\nlonger');
  });

  test('of a question shows all variants and its reading', () => {
    const text = questionText(question, [wasm, twin]);
    const [title, , header, first, second, , reading] = text.split('\n');
    expect(title).toBe('Which one?');
    expect(header?.trim().split(/\s\s+/)).toEqual([
      'Services',
      'variant',
      'cold ns',
      'min',
      'median',
      'p95',
      'packets/s',
      'x wasm',
      'spread',
      'x twin',
      'rules',
    ]);
    expect(first?.trim().split(/\s\s+/)).toEqual([
      'ipvs any',
      '1,000',
      'wasm',
      '5,000',
      '40.0',
      '50.5',
      '60.0',
      '19.8 M',
      '1.00',
      '2.00',
      '12',
    ]);
    expect(second?.trim().split(/\s\s+/)).toEqual([
      'ipvs any',
      '1,000',
      'twin',
      '5,000',
      '40.0',
      '25.0',
      '60.0',
      '40.0 M',
      '0.50',
      '0.40-0.60',
      '1.00',
    ]);
    expect(reading).toBe('Reading: this one.');
  });

  test('of a question with one kind of case has no column for it', () => {
    const [, , header] = questionText(question, [{ ...wasm, case: '' }]).split('\n');
    expect(header).toMatch(/^Services {2}variant/);
  });
});

describe('the reading', () => {
  test('names each row in which WebAssembly loses, and by how much', () => {
    expect(whereWasmLoses([wasm, twin])).toBe('WebAssembly does not win everywhere: it loses to twin at ipvs any 1,000 (2.0 times faster)');
  });

  test('counts the rows when there are many', () => {
    const rows = [1, 2, 4, 5, 8].map((times) => ({ ...twin, size: times, ratioToWasm: { median: 1 / times, min: 0, max: 1 } }));
    expect(whereWasmLoses(rows)).toBe('WebAssembly does not win everywhere: it loses to twin in 4 of 5 rows (2.0-8.0 times faster)');
  });

  test('speaks of those alone that were measured', () => {
    const others = { twin: 'the twin', js: 'the TypeScript engine' };
    expect(timesAsLong([wasm, twin, { ...twin, ratioToWasm: { median: 3, min: 2, max: 4 } }], others)).toBe(
      "in times of wasm's time: the twin 0.5-3.0",
    );
  });

  test('takes a difference inside the noise for none', () => {
    expect(whereWasmLoses([wasm, { ...twin, ratioToWasm: { median: 0.97, min: 0.9, max: 1 } }])).toBe(
      'WebAssembly does not lose in any row',
    );
  });
});
