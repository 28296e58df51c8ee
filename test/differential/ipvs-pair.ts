// Two IPVS engines side by side: every verb goes to both, and whatever can be seen of them must be the same after it.
import { expect } from 'vitest';
import { startCoreSync } from '../../src/engine/wasm/core.ts';
import { embeddedCore } from '../../src/engine/wasm/embedded-core.ts';
import { createIpvsSync, ipvsOver } from '../../src/ipvs/ipvs.ts';
import { settleSysctls } from '../../src/ipvs/sysctls.ts';
import type { Ipvs, IpvsPacket, IpvsVerdict } from '../../src/ipvs/types.ts';
import { checkIpvs } from '../../src/ipvs/wasm/check-ipvs.ts';
import { createWasmIpvs, type WasmIpvs } from '../../src/ipvs/wasm/engine.ts';

/** Compiled once: a namespace gets an instance of its own. */
const CORE = new WebAssembly.Module(embeddedCore());

export class IpvsPair {
  now = 0;
  readonly js: Ipvs;
  readonly wasm: Ipvs;
  readonly #engine: WasmIpvs;

  constructor(seed: number, conntrackHooks: boolean) {
    const now = (): number => this.now;
    this.#engine = createWasmIpvs(startCoreSync(CORE), { seed, sysctls: settleSysctls({}), hasConntrackHooks: conntrackHooks });
    this.wasm = ipvsOver(this.#engine, seed, now);
    this.js = createIpvsSync({ engine: 'js', seed, now, conntrackHooks });
    expect([this.wasm.engine, this.js.engine]).toEqual(['wasm', 'js']);
  }

  both(act: (ipvs: Ipvs) => void): void {
    act(this.wasm);
    act(this.js);
  }

  send(packet: IpvsPacket): IpvsVerdict {
    const verdict = this.wasm.process(packet);
    expectSame(verdict, this.js.process(packet));
    return verdict;
  }

  compare(): void {
    checkIpvs(this.#engine.parts());
    expectSame(this.wasm.services(), this.js.services());
    for (const service of this.js.services()) expectSame(this.wasm.servers(service), this.js.servers(service));
    expectSame([...this.wasm.connections()], [...this.js.connections()]);
    expectSame(this.wasm.save(), this.js.save());
  }
}

/** Text first: it is the same nearly always, and quickly found to be. */
function expectSame(wasm: unknown, js: unknown): void {
  if (JSON.stringify(wasm) !== JSON.stringify(js)) expect(wasm).toEqual(js);
}
