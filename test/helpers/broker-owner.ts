/**
 * A program that tests start and kill: it runs an embedded broker, prints what is known of it as one line of JSON, and
 * then waits. `node broker-owner.js CACHE [DATA_FOLDER]`
 */
import { startEmbeddedBroker } from '../../deploy/embedded-broker/embedded-broker.js';

const [cacheFolder, dataFolder] = process.argv.slice(2);
const { brokers, logFile } = await startEmbeddedBroker({ cacheFolder, dataFolder });
process.stdout.write(`${JSON.stringify({ brokers, logFile })}\n`);
setInterval(() => {}, 60_000);
