import * as svcplane from 'svcplane';
import { sendOne } from './objects.mjs';

console.log(JSON.stringify(await sendOne(svcplane)));
