import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import kafkajs, { CompressionTypes, type Kafka } from 'kafkajs';
import type { StreamClient } from '../../../src/stream/client/connection.js';
import { TransactionSession } from '../../../src/stream/publisher/transaction-session.js';

type Request = Readonly<Record<string, unknown>>;
/** What a broker does with the request of an API: it answers, with an error that it throws. */
type Answer = (request: Request) => unknown;

/** A cluster of two nodes, of which the first leads even partitions and coordinates everything. */
class FakeCluster {
  readonly requests: { readonly api: string; readonly node: string; readonly request: Request }[] = [];
  readonly answers: Record<string, Answer> = {};
  numSearches = 0;
  numRefreshes = 0;

  connect = () => Promise.resolve();
  disconnect = () => Promise.resolve();
  addMultipleTargetTopics = () => Promise.resolve();
  refreshMetadataIfNecessary = () => Promise.resolve();
  refreshMetadata = () => {
    this.numRefreshes += 1;
    return Promise.resolve();
  };
  findTopicPartitionMetadata = () => [0, 1].map((partitionId) => ({ partitionId }));
  findLeaderForPartitions = (_topic: string, [partition]: number[]) => ({
    [`${partition % 2}`]: [partition],
  });
  findBroker = ({ nodeId }: { nodeId: string }) => Promise.resolve(this.#broker(nodeId));
  findGroupCoordinator = () => {
    this.numSearches += 1;
    return Promise.resolve(this.#broker('0'));
  };

  /** The APIs that were asked, in order. */
  get apis(): string[] {
    return this.requests.map(({ api }) => api);
  }

  #broker(nodeId: string) {
    const api = (name: string) => async (request: Request) => {
      this.requests.push({ api: name, node: nodeId, request });
      await Promise.resolve();
      return this.answers[name]?.(request);
    };
    const names = ['addOffsetsToTxn', 'addPartitionsToTxn', 'txnOffsetCommit', 'produce', 'endTxn'];
    return {
      nodeId,
      initProducerId: () => Promise.resolve({ producerId: '7', producerEpoch: 1 }),
      ...Object.fromEntries(names.map((name) => [name, api(name)])),
    };
  }
}

async function openSession() {
  const cluster = new FakeCluster();
  const transactions = { [Symbol('private:Kafka:createCluster')]: () => cluster } as unknown as Kafka;
  const session = new TransactionSession({ transactions } as StreamClient, {
    transactionalId: 'id',
    transactionTimeoutMs: 1_000,
    compression: CompressionTypes.None,
  });
  await session.open();
  return { cluster, session };
}

function refusal(type: string): Error {
  return new kafkajs.KafkaJSProtocolError(Object.assign(new Error(type), { type, code: 1 }));
}
/** An answer that is an error so many times, and then none. */
function refusedTimes(times: number, type: string): Answer {
  let left = times;
  return () => {
    if (left-- > 0) throw refusal(type);
  };
}

const position = { group: 'group', topic: 'input', partition: 3, nextOffset: 9n };
const write = (...values: string[]) => [
  {
    topic: 'output',
    messages: values.map((value) => ({ key: null, value: Buffer.from(value), partition: 0 })),
  },
];

describe('the session of a transactional id', () => {
  it('goes there and back three times, and asks for each coordinator once', async () => {
    const { cluster, session } = await openSession();
    await session.write([write('a')], position);
    assert.deepEqual([...cluster.apis].sort(), [
      'addOffsetsToTxn',
      'addPartitionsToTxn',
      'endTxn',
      'produce',
      'txnOffsetCommit',
    ]);
    await session.write([write('b')], position);
    assert.equal(cluster.requests.length, 10);
    assert.equal(cluster.numSearches, 2);
  });

  it('sends what belongs to one step together', async () => {
    const { cluster, session } = await openSession();
    const underWay = () => cluster.apis.slice();
    let seen: string[] = [];
    cluster.answers['addOffsetsToTxn'] = () => (seen = underWay());
    await session.write([write('a')], position);
    assert.deepEqual(seen, ['addOffsetsToTxn', 'addPartitionsToTxn']);
  });

  it('sends nothing for a transaction of nothing, and only what is needed for a part of one', async () => {
    const { cluster, session } = await openSession();
    await session.write([], undefined);
    assert.deepEqual(cluster.apis, []);
    await session.write([], position);
    assert.deepEqual(cluster.apis.splice(0), ['addOffsetsToTxn', 'txnOffsetCommit', 'endTxn']);
    cluster.requests.length = 0;
    await session.write([write('a')], undefined);
    assert.deepEqual(cluster.apis, ['addPartitionsToTxn', 'produce', 'endTxn']);
  });

  it('adds each partition once, and sends to each leader its part', async () => {
    const { cluster, session } = await openSession();
    const messages = [1, 0, 1].map((partition) => ({ key: null, value: Buffer.from('x'), partition }));
    await session.write([[{ topic: 'output', messages }], write('later')], undefined);
    const added = cluster.requests.filter(({ api }) => api === 'addPartitionsToTxn');
    assert.deepEqual(
      added.map(({ request }) => request['topics']),
      [[{ topic: 'output', partitions: [1, 0] }]],
    );
    const sent = cluster.requests.filter(({ api }) => api === 'produce');
    const parts = sent.map(({ node, request }) => {
      const [{ partitions }] = request['topicData'] as [
        { partitions: { partition: number; firstSequence: number; messages: unknown[] }[] },
      ];
      return [node, ...partitions.map((each) => [each.partition, each.firstSequence, each.messages.length])];
    });
    assert.deepEqual(parts, [
      ['1', [1, 0, 2]],
      ['0', [0, 0, 1]],
      ['0', [0, 1, 1]],
    ]);
  });

  it('waits for the end of the transaction before', async () => {
    const { cluster, session } = await openSession();
    cluster.answers['addOffsetsToTxn'] = refusedTimes(2, 'CONCURRENT_TRANSACTIONS');
    await session.write([write('a')], position);
    assert.equal(cluster.apis.filter((api) => api === 'addOffsetsToTxn').length, 3);
    assert.equal(cluster.apis.at(-1), 'endTxn');
    assert.equal(cluster.numSearches, 2);
  });

  it('looks for a coordinator again that has moved', async () => {
    const { cluster, session } = await openSession();
    cluster.answers['endTxn'] = refusedTimes(1, 'NOT_COORDINATOR_FOR_GROUP');
    await session.write([write('a')], position);
    assert.equal(cluster.numSearches, 3);
    assert.equal(cluster.apis.filter((api) => api === 'endTxn').length, 2);
  });

  it('repeats a batch under its numbers when the leader has moved', async () => {
    const { cluster, session } = await openSession();
    await session.write([write('a', 'b')], undefined);
    cluster.answers['produce'] = refusedTimes(1, 'NOT_LEADER_FOR_PARTITION');
    await session.write([write('c')], undefined);
    const [, first, second] = cluster.requests.filter(({ api }) => api === 'produce');
    assert.deepEqual(first.request, second.request);
    assert.match(JSON.stringify(second.request), /"firstSequence":2/);
    assert.equal(cluster.numRefreshes, 1);
  });

  it('does not repeat what is refused for good, nor what has no answer', async () => {
    for (const failure of [refusal('INVALID_PRODUCER_EPOCH'), new Error('no answer')]) {
      const { cluster, session } = await openSession();
      cluster.answers['produce'] = () => Promise.reject(failure);
      await assert.rejects(session.write([write('a')], position), failure);
      assert.equal(cluster.apis.filter((api) => api === 'produce').length, 1);
      assert.ok(!cluster.apis.includes('endTxn'));
    }
  });

  it('fails when nothing is under way any more, and by what is the least certain', async () => {
    const { cluster, session } = await openSession();
    let isOver = false;
    const unanswered = new Error('no answer');
    cluster.answers['txnOffsetCommit'] = () => Promise.reject(refusal('UNKNOWN_MEMBER_ID'));
    cluster.answers['produce'] = async () => {
      await new Promise((resolve) => setImmediate(resolve));
      isOver = true;
      throw unanswered;
    };
    await assert.rejects(session.write([write('a')], position), unanswered);
    assert.ok(isOver);
  });

  it('connects to nothing once it is closed', async () => {
    const { cluster, session } = await openSession();
    cluster.answers['addOffsetsToTxn'] = () => {
      void session.close();
      throw refusal('CONCURRENT_TRANSACTIONS');
    };
    await assert.rejects(session.write([], position), /closed/);
    assert.deepEqual(cluster.apis, ['addOffsetsToTxn']);
  });
});
