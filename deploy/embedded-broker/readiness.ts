import { connect } from 'node:net';

/**
 * Request, after its length (int32):  api_key int16 = 3, api_version int16 = 4, correlation_id int32, client_id string,
 *                                     topics array = 0 of them, allow_auto_topic_creation boolean
 * Response, after its length (int32): correlation_id int32, throttle_time_ms int32, brokers array, ...
 * A string is its length (int16) and its bytes; an array is its length (int32) and its elements.
 */
const metadataRequest = Buffer.from([
  ...[0, 0, 0, 19, 0, 3, 0, 4, 0, 0, 0, 1],
  ...[0, 4, ...Buffer.from('wait')],
  ...[0, 0, 0, 0, 0],
]);
const numBrokersAt = 4 + 4 + 4;
const answerMs = 2_000;

/**
 * Whether a broker answers a Metadata request on this port of loopback, and knows itself as a member of its cluster:
 * it then serves clients.
 */
export function brokerAnswers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(metadataRequest));
    const finish = (answer: boolean) => {
      socket.destroy();
      resolve(answer);
    };
    let received = Buffer.alloc(0);
    socket.on('data', (chunk) => {
      received = Buffer.concat([received, chunk]);
      if (received.length >= numBrokersAt + 4) finish(received.readInt32BE(numBrokersAt) > 0);
    });
    socket.setTimeout(answerMs, () => finish(false));
    socket.on('error', () => finish(false));
    socket.on('close', () => finish(false));
  });
}
