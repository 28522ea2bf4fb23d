import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { brokerProperties, formatProperties } from '../../../deploy/embedded-broker/broker-properties.js';

const layout = {
  ports: { PLAINTEXT: 9092, SASL_SSL: 9094 },
  controllerPort: 9093,
  bindHost: '0.0.0.0',
  dataFolder: '/data',
};

describe('the configuration of the embedded broker', () => {
  it('has every listener, advertised on loopback, and the controller on loopback only', () => {
    const properties = brokerProperties(layout);
    assert.equal(
      properties['listeners'],
      'PLAINTEXT://0.0.0.0:9092,SASL_SSL://0.0.0.0:9094,CONTROLLER://127.0.0.1:9093',
    );
    assert.equal(properties['advertised.listeners'], 'PLAINTEXT://127.0.0.1:9092,SASL_SSL://127.0.0.1:9094');
    assert.equal(
      properties['listener.security.protocol.map'],
      'CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SASL_SSL:SASL_SSL',
    );
    assert.equal(properties['controller.quorum.voters'], '1@127.0.0.1:9093');
    assert.equal(properties['log.dirs'], '/data');
  });

  it('gives way to what is overridden', () => {
    const properties = brokerProperties(layout, {
      'auto.create.topics.enable': true,
      'message.max.bytes': 10,
    });
    assert.equal(properties['auto.create.topics.enable'], true);
    assert.equal(properties['message.max.bytes'], 10);
    assert.equal(properties['log.dirs'], '/data');
  });

  it('is written so that Java reads the same values', () => {
    assert.equal(formatProperties({ a: 1, b: true, c: 'plain=:#!' }), 'a=1\nb=true\nc=plain=:#!\n');
    assert.equal(
      formatProperties({ path: 'C:\\kafka', lines: 'one\ntwo' }),
      'path=C:\\\\kafka\nlines=one\\ntwo\n',
    );
    assert.equal(formatProperties({ blank: '  x ' }), 'blank=\\ \\ x \n');
  });
});
