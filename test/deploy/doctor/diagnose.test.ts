import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { diagnose, isHealthy, type Finding } from '../../../deploy/doctor/diagnose.js';
import type { Facts } from '../../../deploy/doctor/facts.js';
import { formatFindings } from '../../../deploy/doctor/format.js';

const tool = { command: 'tool', version: '1.2.3' };
const complete: Facts = {
  node: '22.1.0',
  machine: { platform: 'linux', arch: 'x64', glibc: '2.36', system: 'debian' },
  tools: { python: tool, compiler: tool, npm: tool, java: tool, maven: tool, docker: tool },
  cache: { folder: '/cache', writable: true, freeBytes: 5e9 },
  native: 'works',
  wasm: 'works',
  kafkaJars: 'works',
  brokers: undefined,
};
const noTools: Facts['tools'] = {
  python: undefined,
  compiler: undefined,
  npm: undefined,
  java: undefined,
  maven: undefined,
  docker: undefined,
};

const diagnosis = (changes: Partial<Facts>) => diagnose({ ...complete, ...changes });
function finding(findings: readonly Finding[], name: string): Finding {
  const found = findings.find((each) => each.name === name);
  assert.ok(found, `there is no finding ${name}`);
  return found;
}

describe('the doctor', () => {
  it('finds nothing on a machine that has everything', () => {
    const findings = diagnosis({});
    assert.ok(findings.every(({ status, remedy }) => status === 'ok' && remedy === undefined));
    assert.equal(isHealthy(findings), true);
  });

  it('names the one command that sets native TensorFlow up', () => {
    assert.equal(finding(diagnosis({ native: 'absent' }), 'Native TensorFlow').remedy, 'millrace setup');
    const bare = diagnosis({
      native: 'absent',
      tools: { ...complete.tools, python: undefined, compiler: undefined },
    });
    assert.equal(
      finding(bare, 'Native TensorFlow').remedy,
      'sudo apt-get install -y python3-pip g++ && millrace setup',
    );
    assert.equal(isHealthy(bare), true);
  });

  it('offers no remedy where native TensorFlow is not made for the machine', () => {
    const machine = { ...complete.machine, arch: 'arm64' };
    const { status, found, remedy } = finding(diagnosis({ native: 'absent', machine }), 'Native TensorFlow');
    assert.deepEqual([status, remedy], ['warning', undefined]);
    assert.match(found, /linux arm64; WebAssembly computes/);
  });

  it('has a build that is broken made anew', () => {
    const { remedy } = finding(diagnosis({ native: { broken: 'no such symbol' } }), 'Native TensorFlow');
    assert.equal(remedy, 'rm -rf /cache/tensorflow-* && millrace setup');
  });

  it('misses a broker only where nothing can run one and none is configured', () => {
    const none = { tools: noTools, kafkaJars: 'absent' } as const;
    const alone = diagnosis(none);
    assert.equal(finding(alone, 'Embedded broker').status, 'missing');
    assert.equal(
      finding(alone, 'Embedded broker').remedy,
      'sudo apt-get install -y openjdk-17-jre-headless maven',
    );
    assert.equal(isHealthy(alone), false);
    const withCluster = diagnosis({ ...none, brokers: { addresses: ['kafka:9092'], problem: undefined } });
    assert.equal(isHealthy(withCluster), true);
  });

  it('misses brokers that are configured and do not answer', () => {
    const findings = diagnosis({ brokers: { addresses: ['kafka:9092'], problem: 'No broker answers.' } });
    assert.equal(finding(findings, 'Your brokers').found, 'No broker answers.');
    assert.equal(isHealthy(findings), false);
  });

  it('says where the cache cannot be written', () => {
    const cache = { folder: '/root/cache', writable: false, freeBytes: 0 };
    assert.match(finding(diagnosis({ cache }), 'Cache').remedy!, /MILLRACE_CACHE=/);
  });

  it('does not complain of tools that are absent and not needed', () => {
    const findings = diagnosis({ tools: { ...complete.tools, docker: undefined, maven: undefined } });
    assert.equal(finding(findings, 'Docker').status, 'absent');
    assert.equal(isHealthy(findings), true);
  });
});

describe('the report of the doctor', () => {
  it('has a line for each finding and its remedy below', () => {
    const findings: Finding[] = [
      { name: 'One', status: 'ok', found: 'here' },
      { name: 'Three', status: 'missing', found: 'not here', remedy: 'get it' },
    ];
    assert.equal(
      formatFindings(findings, false),
      '✔ One    here\n✖ Three  not here\n         → get it\n\nSomething is missing: Three.\n',
    );
  });

  it('is coloured only when it may be', () => {
    const findings: Finding[] = [{ name: 'One', status: 'ok', found: 'here' }];
    assert.ok(!formatFindings(findings, false).includes('\x1b'));
    assert.ok(formatFindings(findings, true).includes('\x1b'));
  });
});
