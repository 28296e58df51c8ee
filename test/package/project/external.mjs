import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import * as svcplane from 'svcplane/external';
import { sendOne } from './objects.mjs';

const core = readFileSync(fileURLToPath(import.meta.resolve('svcplane/core.wasm')));
console.log(JSON.stringify(await sendOne(svcplane, { core })));
