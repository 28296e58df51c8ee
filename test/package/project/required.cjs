const svcplane = require('svcplane');
const { sendOne } = require('./objects.mjs');

sendOne(svcplane).then((sent) => console.log(JSON.stringify(sent)));
