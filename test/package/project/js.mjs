import * as svcplane from 'svcplane/js';
import { sendOne } from './objects.mjs';

console.log(JSON.stringify(await sendOne(svcplane)));
