import { closeSync, openSync, readSync } from 'node:fs';

/**
 * The bytes of a file that is known to be small, such as a password or a certificate; also of a pipe. One that goes on
 * for longer is not read to its end. Throws a plain Error that says why it cannot be read.
 */
export function readSmallFile(path: string, maxBytes: number): Buffer {
  const bytes = Buffer.alloc(maxBytes + 1);
  const file = openSync(path, 'r');
  try {
    let numBytes = 0;
    for (;;) {
      const numRead = readSync(file, bytes, numBytes, bytes.length - numBytes, null);
      if (numRead === 0) return bytes.subarray(0, numBytes);
      numBytes += numRead;
      if (numBytes > maxBytes) throw new Error(`${path} has more than ${maxBytes} bytes`);
    }
  } finally {
    closeSync(file);
  }
}
