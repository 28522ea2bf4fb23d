/** Preloaded by a test: the process ends as `kill -9` ends it, with rows that were fetched and not yet decoded. */
import { ChunkAnswerer } from '../../../src/serving/chunk-answerer.js';

const spared = 3;
let numChunks = 0;
const answer = Reflect.get(ChunkAnswerer.prototype, 'answer');
ChunkAnswerer.prototype.answer = function (chunk) {
  if (numChunks++ === spared) process.kill(process.pid, 'SIGKILL');
  return answer.call(this, chunk);
};
