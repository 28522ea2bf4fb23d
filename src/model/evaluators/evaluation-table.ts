import { textTable } from '../../telemetry/text-table.js';
import type { AucResult } from './auc.js';
import type { ClassScores } from './class-scores.js';
import type { Evaluator } from './evaluator.js';

/** Results of evaluators by their type. */
export type EvaluationResults = Readonly<Record<string, unknown>>;

export function evaluationResults(evaluators: readonly Evaluator[]): EvaluationResults {
  return Object.fromEntries(evaluators.map((evaluator) => [evaluator.type, evaluator.result()]));
}

/**
 * The results as lines of text for people: single numbers first, then the scores of each class, then the confusion
 * matrix with the true class by line.
 *
 * @param vocabulary the label of each class; empty for regression
 */
export function evaluationTable(results: EvaluationResults, vocabulary: readonly string[]): string {
  const numbers = Object.entries(results).flatMap(([type, result]): string[][] => {
    if (typeof result === 'number') return [[type, shown(result)]];
    return type === 'auc' ? [[type, shown((result as AucResult).auc)]] : [];
  });
  const scores = Object.entries(results).filter((entry): entry is [string, ClassScores] =>
    isScores(entry[1]),
  );
  const blocks = [numbers];
  if (scores.length > 0) {
    blocks.push([
      ['class', ...scores.map(([type]) => type)],
      ...vocabulary.map((label, index) => [label, ...scores.map(([, each]) => shown(each.perClass[index]))]),
      ['(macro)', ...scores.map(([, each]) => shown(each.macro))],
    ]);
  }
  const counts = results['confusion-matrix'] as readonly (readonly number[])[] | undefined;
  if (counts !== undefined) {
    blocks.push([
      ['true \\ predicted', ...vocabulary],
      ...counts.map((line, index) => [vocabulary[index], ...line.map(String)]),
    ]);
  }
  return blocks.map((lines) => textTable(lines, '<')).join('\n\n');
}

function isScores(result: unknown): boolean {
  return typeof result === 'object' && result !== null && 'perClass' in result;
}

function shown(value: number): string {
  return value.toFixed(4);
}
