import { ServingMetrics } from '../../src/telemetry/metrics.js';
import { table } from './markdown.js';

/** The metrics that a serving member exports under Millrace's own name, read off a registry where each was used once. */
export async function metricsReference(): Promise<string> {
  const metrics = new ServingMetrics('', {
    inFlight: () => ({ rows: 0, bytes: 0 }),
    tensors: () => Promise.resolve({ numTensors: 0, numBytes: 0 }),
  });
  metrics.serves('', 1, '');
  metrics.stage('decode', 0);
  metrics.lag('', 0, 0);
  const { body } = await metrics.render();
  const helps = [...body.matchAll(/^# HELP (millrace_\S+) (.*)\n# TYPE \S+ (\S+)$/gm)];
  const rows = helps.map(([, name, help, type]) => [`\`${name}\``, type, labelsOf(name, body), help]);
  return table(['Metric', 'Type', 'Labels', 'What it is'], rows);
}

function labelsOf(name: string, body: string): string {
  const labels = new Set<string>();
  for (const [, text] of body.matchAll(new RegExp(`^${name}(?:_bucket|_sum|_count)?\\{(.*)\\}`, 'gm'))) {
    for (const [, label] of text.matchAll(/(\w+)="/g)) labels.add(label);
  }
  labels.delete('le');
  return [...labels].map((label) => `\`${label}\``).join(', ');
}
