import { isMainThread, parentPort, Worker } from 'node:worker_threads';
import * as svcplane from 'svcplane';
import { sendOne } from './objects.mjs';

if (isMainThread) new Worker(new URL(import.meta.url)).once('message', (sent) => console.log(JSON.stringify(sent)));
else parentPort.postMessage(await sendOne(svcplane));
