import { availableParallelism } from 'node:os';
import { startCompute, type Compute, type ComputeOptions } from './compute.js';

/**
 * Starts one compute thread in this process, or, for several workers, a process for each of them; these share the cores
 * unless `threads` says how many each may take. Throws what `startCompute` throws; then none of them stays.
 */
export async function startComputes(numWorkers: number, options: ComputeOptions): Promise<Compute[]> {
  if (numWorkers === 1) return [await startCompute(options)];
  const threads = options.threads ?? Math.max(1, Math.floor(availableParallelism() / numWorkers));
  const started = await Promise.allSettled(
    Array.from({ length: numWorkers }, () => startCompute({ ...options, threads, isolation: 'process' })),
  );
  const computes = started.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
  const failure = started.find((each) => each.status === 'rejected');
  if (failure === undefined) return computes;
  await Promise.all(computes.map((compute) => compute.close()));
  throw failure.reason;
}
