/** What a look at conversations (5-tuples) shows: the shapes that app/ fills and output/ prints. Types only. */
import type { CollectorCounts } from './collector.ts';
import type { ExportFormat } from './collectorformats.ts';
import type { Conversation, LeftOut } from './conversations.ts';
import type { Quality } from '../pairs/pair.ts';

/** One exporter that was asked. */
export interface ConversationsSource {
  readonly bridge: string;
  readonly kind: ExportFormat;
  /** Which packets are taken from it. */
  readonly families: 'IPv4' | 'IPv6' | 'IPv4 and IPv6';
  readonly quality: Quality;
  readonly counts: CollectorCounts;
}

/** One tick of a look. */
export interface ConversationsView {
  readonly view: 'conversations';
  /** Wall clock. */
  readonly at: Date;
  readonly bridges: readonly string[];
  /** Those with most bytes first. */
  readonly conversations: readonly Conversation[];
  /** What is there besides. */
  readonly leftOut: LeftOut;
  readonly sources: readonly ConversationsSource[];
}
