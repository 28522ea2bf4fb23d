/**
 * Loaded into every thread of a process before anything else, by NODE_OPTIONS: records a CPU profile between the moments
 * at which the files `begin` and `end` appear in the folder that MILLRACE_PROFILE_FOLDER names, as NAME.cpuprofile.
 */
import { existsSync, renameSync, writeFileSync } from 'node:fs';
import { Session, type Profiler } from 'node:inspector';
import { join } from 'node:path';
import { isMainThread, threadId } from 'node:worker_threads';

const pollMs = 50;
const samplingMicros = 500;
const folder = process.env['MILLRACE_PROFILE_FOLDER'];
if (folder !== undefined) watch(folder);

function watch(folder: string): void {
  const name = join(folder, isMainThread ? 'main' : `thread-${threadId}`);
  let session: Session | undefined;
  const timer = setInterval(() => {
    if (session === undefined && existsSync(join(folder, 'begin'))) {
      session = new Session();
      session.connect();
      session.post('Profiler.enable');
      session.post('Profiler.setSamplingInterval', { interval: samplingMicros });
      session.post('Profiler.start');
      writeFileSync(`${name}.begun`, '');
    } else if (session !== undefined && existsSync(join(folder, 'end'))) {
      clearInterval(timer);
      session.post('Profiler.stop', (_error, result?: { profile: Profiler.Profile }) => {
        writeFileSync(`${name}.partial`, JSON.stringify(result?.profile));
        renameSync(`${name}.partial`, `${name}.cpuprofile`);
      });
      session.disconnect();
    }
  }, pollMs);
  timer.unref();
}
