import * as svcplane from 'svcplane/wasm';
import { sendOne } from './objects.mjs';

console.log(JSON.stringify(await sendOne(svcplane)));
