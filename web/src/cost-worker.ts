// Measures beside the page, so that the page stays quick and does not disturb the measurement.
import { measureCost, SERVICE_COUNTS } from './cost-measure.ts';

for (const serviceCount of SERVICE_COUNTS) postMessage(measureCost(serviceCount));
postMessage('done');
