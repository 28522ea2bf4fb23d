import type { CheckedBundle } from './bundle-contents.js';
import { modelOutline } from './model-outline.js';

/** What is in a bundle, as lines for people. */
export function describeBundle(bundle: CheckedBundle): string {
  const { schema, target, pipeline, training } = bundle;
  const { startedAt, importedFrom, evaluation } = training;
  return [
    `${bundle.name} version ${bundle.version}`,
    `fingerprint  ${bundle.fingerprint}`,
    `key          ${schema.key ?? '(none)'}`,
    `label        ${schema.label ?? '(none)'}`,
    `features     ${shortList(schema.features)}`,
    `pipeline     ${pipeline.transformers.map(({ type }) => type).join(', ') || '(nothing)'}`,
    `target       ${target.kind === 'regression' ? 'a number' : `one of ${shortList(target.vocabulary)}`}`,
    `golden rows  ${bundle.golden.observations.length}`,
    ...(typeof startedAt === 'string' ? [`trained      ${startedAt}`] : []),
    ...(typeof importedFrom === 'string' ? [`imported     from ${importedFrom}`] : []),
    ...(evaluation === undefined ? [] : [`evaluation   ${JSON.stringify(evaluation)}`]),
    'model',
    ...modelOutline(bundle.artifact).map((line) => `  ${line}`),
  ].join('\n');
}

function shortList(names: readonly string[]): string {
  const shown = names.slice(0, 8).join(', ');
  return names.length > 8 ? `${shown}, ... (${names.length})` : shown;
}
