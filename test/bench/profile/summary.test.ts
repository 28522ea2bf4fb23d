import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { summarizeProfile, type CpuProfile } from '../../../bench/profile/summary.js';

function frame(id: number, functionName: string, url: string, children: number[] = []) {
  return { id, callFrame: { functionName, url }, children };
}

const dist = 'file:///somewhere/dist/src';
const nodes = [
  frame(1, '(root)', '', [2, 3, 4, 5, 6, 11]),
  frame(2, '(idle)', ''),
  frame(3, '(garbage collector)', ''),
  frame(4, 'run', `${dist}/serving/chunk-answerer.js`, [7, 8]),
  frame(5, 'send', 'file:///somewhere/node_modules/kafkajs/src/producer/index.js', [9]),
  frame(6, 'processTicksAndRejections', 'node:internal/process/task_queues'),
  frame(7, 'decode', `${dist}/record/json-codec.js`, [10]),
  frame(8, 'encode', `${dist}/record/json-codec.js`),
  frame(9, 'writeInt32', 'file:///somewhere/node_modules/kafkajs/src/protocol/encoder.js'),
  frame(10, 'parse', ''),
  frame(11, 'watch', 'file:///somewhere/dist/bench/profile/preload.js', [12]),
  frame(12, 'post', 'node:inspector'),
];

/** 100 µs for each sample. */
function profileOf(samples: number[]): CpuProfile {
  return { nodes, samples, timeDeltas: samples.map(() => 100) };
}

describe('the summary of a CPU profile', () => {
  const summary = summarizeProfile(profileOf([2, 2, 3, 7, 10, 10, 8, 9, 9, 6]));

  it('leaves out the time in which the thread had nothing to do', () => {
    assert.equal(summary.busyShare, 0.8);
  });

  it('counts what is built in for the file that called it, and garbage collection by itself', () => {
    assert.deepEqual(Object.fromEntries(summary.modules), {
      'src/record/json-codec': 0.5,
      'kafkajs/src/protocol/encoder': 0.25,
      'garbage collection': 0.125,
      'Node.js': 0.125,
    });
    assert.equal(summary.modules[0][0], 'src/record/json-codec');
  });

  it('tells stages apart by who calls whom', () => {
    assert.deepEqual(Object.fromEntries(summary.stages), {
      decode: 0.375,
      produce: 0.25,
      encode: 0.125,
      'garbage collection': 0.125,
      'everything else': 0.125,
    });
  });

  it('leaves out what the profiler itself did', () => {
    assert.deepEqual(summarizeProfile(profileOf([11, 12, 3])).modules, [['garbage collection', 1]]);
  });

  it('is empty for a thread that did nothing', () => {
    assert.deepEqual(summarizeProfile(profileOf([2])), { busyShare: 0, modules: [], stages: [] });
    assert.equal(summarizeProfile(profileOf([])).busyShare, 0);
  });
});
