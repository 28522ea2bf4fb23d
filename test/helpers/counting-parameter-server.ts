/**
 * A parameter server whose center variable counts rows, as a process that can be killed:
 *
 *   node counting-parameter-server.js FOLDER PORT
 *
 * Prints the port it listens at. A commit's residual is the number of its rows, so that the center is that of the topic.
 */
import { chooseAlgorithm } from '../../src/parameter-server/algorithms/algorithms.js';
import { ParameterServer } from '../../src/parameter-server/parameter-server.js';

const [checkpointFolder, port] = process.argv.slice(2);
const server = await ParameterServer.open({
  ...chooseAlgorithm('downpour'),
  ...{ checkpointFolder, keepCheckpoints: 2, checkpointEveryCommits: 4, checkpointEveryMs: 20 },
  ...{ host: '127.0.0.1', port: Number(port), token: 'secret', maxConnections: 20, idleTimeoutMs: 10_000 },
  modelFacts: { numWeights: 1 },
  initial: () => Promise.resolve({ weights: new Float32Array(1), clock: 0, positions: [] }),
  listener: {
    joined: () => {},
    pulled: () => {},
    committed: () => {},
    left: () => {},
    refused: () => {},
    checkpointWritten: () => {},
    checkpointTrouble: () => {},
    checkpointDamaged: () => {},
  },
});
process.stdout.write(`${server.address.port}\n`);
process.once('SIGTERM', () => void server.close());
