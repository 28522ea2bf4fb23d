import { MillraceError } from '../../errors.js';
import type { GapReason } from '../../telemetry/metrics.js';

/** Where to go on when what follows a position is not there. */
export const gapPolicies = ['earliest', 'latest', 'fail'] as const;
export type GapPolicy = (typeof gapPolicies)[number];

/** The offsets that a partition holds. */
export interface OffsetRange {
  /** The first offset that is retained. */
  readonly low: bigint;
  /** The offset behind the last record. */
  readonly high: bigint;
}

/** A position of which the partition does not hold what follows. */
export interface Gap {
  /**
   * `expired`: records behind the position are not retained any more. `beyond-end`: the partition is shorter than the
   * position, as after its topic was deleted and made anew.
   */
  readonly reason: GapReason;
  /** Where the group was. */
  readonly from: bigint;
  /** Where it goes on. */
  readonly to: bigint;
  /** Offsets that are passed over and were never read; an upper bound of the rows. */
  readonly skipped: bigint;
}

/** The gap at a position, undefined when there is none. With the policy `fail` it ends where `earliest` would. */
export function gapAt(from: bigint, { low, high }: OffsetRange, policy: GapPolicy): Gap | undefined {
  const to = policy === 'latest' ? high : low;
  if (from < low) return { reason: 'expired', from, to, skipped: to - from };
  if (from > high) return { reason: 'beyond-end', from, to, skipped: to - low };
  return undefined;
}

/** What a gap is reported with. */
export const gapSentences: Readonly<Record<GapReason, string>> = {
  expired: 'records behind the position of the group are not retained any more and were never read',
  'beyond-end': 'the position of the group lies behind the end of the partition (was the topic made anew?)',
};

/** What `--on-gap fail` ends with: MILLRACE_POSITION_LOST. */
export function positionLost(
  gap: Gap,
  place: { topic: string; partition: number; group: string },
): MillraceError {
  const { topic, partition, group } = place;
  return new MillraceError(
    'MILLRACE_POSITION_LOST',
    `Partition ${partition} of "${topic}" cannot be read on at offset ${gap.from} of group "${group}": ${gapSentences[gap.reason]}; go on with --on-gap earliest (at offset ${gap.to}) or latest.`,
    { facts: { topic, partition, group, ...gap } },
  );
}
