// Which engine `createIpvs` takes, and that it never falls back in silence.
import { afterEach, describe, expect, test, vi } from 'vitest';
import { CoreError, createIpvs, createIpvsSync, InvalidArgumentError } from '../../src/ipvs.ts';

afterEach(() => {
  vi.unstubAllGlobals();
});

function forbidWebAssembly(): void {
  vi.stubGlobal('WebAssembly', undefined);
}

describe('the engine of createIpvs', () => {
  test('is WebAssembly unless TypeScript is asked for', async () => {
    const onWarning = vi.fn();
    expect((await createIpvs({ onWarning })).engine).toBe('wasm');
    expect(createIpvsSync({ engine: 'wasm', onWarning }).engine).toBe('wasm');
    expect(createIpvsSync({ engine: 'js', onWarning }).engine).toBe('js');
    expect(onWarning).not.toHaveBeenCalled();
  });

  test('is TypeScript, with a warning, where the platform refuses WebAssembly', async () => {
    forbidWebAssembly();
    const onWarning = vi.fn();
    expect((await createIpvs({ onWarning })).engine).toBe('js');
    expect(createIpvsSync({ onWarning }).engine).toBe('js');
    expect(onWarning.mock.calls.flat()).toEqual(
      Array(2).fill(expect.stringContaining('WebAssembly does not run here, the TypeScript engine does')),
    );
  });

  test('is an error where WebAssembly is asked for and refused', async () => {
    forbidWebAssembly();
    await expect(createIpvs({ engine: 'wasm' })).rejects.toThrow(CoreError);
    expect(() => createIpvsSync({ engine: 'wasm' })).toThrow(CoreError);
  });

  test('is refused by name when there is none of that name', () => {
    const options = { engine: 'native' } as unknown as Parameters<typeof createIpvsSync>[0];
    expect(() => createIpvsSync(options)).toThrow(InvalidArgumentError);
    expect(() => createIpvsSync(options)).toThrow('options.engine "native" is not one of auto, wasm, js');
  });
});
