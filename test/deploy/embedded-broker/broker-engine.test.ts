import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  chooseEngine,
  engineRemedy,
  type EngineTools,
} from '../../../deploy/embedded-broker/broker-engine.js';

const tool = { command: 'tool', version: '1' };
const none: EngineTools = { java: undefined, maven: undefined, docker: undefined, jarsInCache: false };

describe('what a broker runs on', () => {
  it('is Java when Kafka is in the cache or Maven can fetch it', () => {
    assert.equal(chooseEngine({ ...none, java: tool, jarsInCache: true }), 'java');
    assert.equal(chooseEngine({ ...none, java: tool, maven: tool, docker: tool }), 'java');
  });

  it('is Docker otherwise', () => {
    assert.equal(chooseEngine({ ...none, docker: tool }), 'docker');
    assert.equal(chooseEngine({ ...none, docker: tool, java: tool }), 'docker');
    assert.equal(chooseEngine({ ...none, docker: tool, maven: tool, jarsInCache: true }), 'docker');
  });

  it('is nothing where neither is there, and then says what to install', () => {
    assert.equal(chooseEngine(none), undefined);
    assert.equal(engineRemedy(none, 'fedora'), 'sudo dnf install -y java-21-openjdk-headless maven');
    assert.equal(engineRemedy({ ...none, java: tool }, 'debian'), 'sudo apt-get install -y maven');
  });
});
