import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { readAuthority, readCertificate } from '../../src/config/tls-files.js';
import { Authority } from '../helpers/certificates.js';
import { scratchFolder } from '../helpers/scratch.js';
import { missingTool } from '../helpers/tool.js';

const certAt = (file: string) => ({ flag: '--cert', file });
const keyAt = (file: string) => ({ flag: '--key', file });
const refuses = (read: () => unknown, message: RegExp) =>
  assert.throws(read, { code: 'MILLRACE_FILE_UNUSABLE', message });

describe('the files of TLS', { skip: missingTool('openssl') }, () => {
  it('are a certificate and its key', (t) => {
    const authority = new Authority(scratchFolder(t));
    const { certFile, keyFile, cert, key } = authority.sign('server');
    const read = readCertificate(certAt(certFile), keyAt(keyFile));
    assert.deepEqual([read.cert.toString(), read.key.toString()], [cert, key]);
    assert.equal(readAuthority({ flag: '--ca', file: authority.caFile }).toString(), authority.ca);
  });

  it('are refused when they do not belong together or were taken for each other', (t) => {
    const authority = new Authority(scratchFolder(t));
    const [one, other] = [authority.sign('one'), authority.sign('other')];
    refuses(
      () => readCertificate(certAt(one.certFile), keyAt(other.keyFile)),
      /^The file ".*other\.key" of --key holds a key that does not belong to the certificate of --cert\.$/,
    );
    refuses(
      () => readCertificate(certAt(one.keyFile), keyAt(one.certFile)),
      /of --cert holds no certificate in PEM\.$/,
    );
    refuses(
      () => readCertificate(certAt(one.certFile), keyAt(one.certFile)),
      /of --key holds no private key in PEM without a passphrase\.$/,
    );
  });

  it('are refused when the key has a passphrase, which nobody is there to type', (t) => {
    const folder = scratchFolder(t);
    const { certFile, keyFile } = new Authority(folder).sign('server');
    const locked = join(folder, 'locked.key');
    const how = ['-aes128', '-passout', 'pass:hunter2'];
    execFileSync('openssl', ['pkey', '-in', keyFile, '-out', locked, ...how], { stdio: 'ignore' });
    refuses(() => readCertificate(certAt(certFile), keyAt(locked)), /without a passphrase/);
  });

  it('are refused when the certificate has expired', (t) => {
    const { certFile, keyFile } = new Authority(scratchFolder(t)).sign('server', { days: -1 });
    refuses(() => readCertificate(certAt(certFile), keyAt(keyFile)), /expired on .*: renew it\.$/);
  });

  it('are refused when they cannot be read, and never read without an end', (t) => {
    const file = join(scratchFolder(t), 'large.pem');
    writeFileSync(file, Buffer.alloc(5 * 1024 * 1024));
    refuses(() => readAuthority({ flag: '--ca', file }), /of --ca cannot be read: .* has more than/);
    refuses(() => readAuthority({ flag: '--ca', file: '/dev/zero' }), /cannot be read: .* has more than/);
    refuses(() => readAuthority({ flag: '--ca', file: '/nowhere' }), /cannot be read: ENOENT/);
    refuses(() => readAuthority({ flag: '--ca', file: '/' }), /cannot be read: EISDIR/);
  });
});
