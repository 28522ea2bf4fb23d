import type { FastifyInstance } from 'fastify';
import { MillraceError } from '../errors.js';

/** Arrays and objects that a row may have on average; a row of scalars is one, a sparse vector adds three. */
const maxContainersPerRow = 100;
/** What a body this short holds is parsed in no time, whatever it is. */
const harmlessBytes = 65_536;

/**
 * Takes JSON bodies as the framework does by itself, a key like `__proto__` refused, but not what has many more arrays
 * and objects than rows need: eight megabytes of brackets occupy the event loop for seconds, and as many bytes of rows
 * for a tenth of one.
 */
export function addJsonBody(app: FastifyInstance, maxRows: number): void {
  const maxContainers = maxContainersPerRow * maxRows;
  const parse = app.getDefaultJsonParser('error', 'error');
  app.addContentTypeParser<Buffer>('application/json', { parseAs: 'buffer' }, (request, body, done) => {
    if (body.length > harmlessBytes && countContainers(body) > maxContainers) {
      const message = `The body holds more than ${maxContainers} arrays and objects; send fewer rows at once.`;
      done(new MillraceError('MILLRACE_REQUEST_TOO_LARGE', message));
      return;
    }
    void parse(request, body.toString(), done);
  });
}

const [quote, backslash, openArray, openObject] = Buffer.from('"\\[{');

/** How many arrays and objects begin in a JSON text, those in strings not counted. */
function countContainers(json: Buffer): number {
  let count = 0;
  for (let index = 0; index < json.length; index++) {
    const byte = json[index];
    if (byte === openArray || byte === openObject) count += 1;
    else if (byte === quote) {
      // To the end of the string.
      for (index += 1; index < json.length && json[index] !== quote; index++) {
        if (json[index] === backslash) index += 1;
      }
    }
  }
  return count;
}
