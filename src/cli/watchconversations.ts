/** `vsb watch conversations`: its own flags, what is said beside the figures, and the end. The rest is app/conversations.ts. */
import { InvalidArgumentError, Option, type Command } from 'commander';
import type { ConversationsBy, ConversationsView } from '../app/conversations.ts';
import { fail } from '../errors.ts';
import { createSink, showViews, type Renderers, type WatchFlags } from './watchsink.ts';
import { writeError } from './verb.ts';

export type ConversationsFlags = WatchFlags & {
  readonly vm?: string;
  readonly source?: ConversationsBy;
  readonly sampling?: number;
  readonly most?: number;
};

/** Adds the flags that only conversations have. */
export function addConversationsOptions(command: Command): void {
  command
    .addOption(
      new Option('--vm <vm>', 'conversations: only of this VM (web1) or NIC (web1:0)').env('VSB_WATCH_VM'),
    )
    .addOption(
      new Option(
        '--source <source>',
        'conversations: how the switch tells of them (default: auto, IPv4 by NetFlow, IPv6 by IPFIX)',
      )
        .choices(['auto', 'netflow', 'ipfix', 'sflow'])
        .env('VSB_WATCH_SOURCE'),
    )
    .addOption(
      new Option('--sampling <n>', 'conversations: one packet in so many (default: ipfix 1, sflow 400)')
        .argParser(toCountOption)
        .env('VSB_WATCH_SAMPLING'),
    )
    .addOption(
      new Option('--most <n>', 'conversations: at most so many in a view (default: 1000)')
        .argParser(toCountOption)
        .env('VSB_WATCH_MOST'),
    );
}

/** @throws USAGE where another view is given flags that only conversations have */
export function refuseConversationsFlags(view: string, flags: ConversationsFlags): void {
  const { most, sampling, source, vm } = flags;
  const given = Object.entries({ '--vm': vm, '--source': source, '--sampling': sampling, '--most': most })
    .filter(([, value]) => value !== undefined)
    .map(([flag]) => flag);
  if (given.length > 0)
    throw fail('USAGE', {
      what: `${given.join(', ')} goes with "watch conversations", not with "watch ${view}".`,
    });
}

/** @returns the exit status */
export async function showConversations(flags: ConversationsFlags): Promise<number> {
  const [{ conversations }, { toSettings }, renderers] = await Promise.all([
    import('../app/conversations.ts'),
    import('../app/settings.ts'),
    loadRenderers(),
  ]);
  const views$ = conversations({
    settings: toSettings(flags),
    bridges: flags.bridge ?? [],
    vm: flags.vm,
    where: flags.where,
    by: flags.source ?? 'auto',
    sampling: flags.sampling,
    forMs: flags.for,
    everyMs: flags.every,
    ...(flags.most === undefined ? {} : { most: flags.most }),
  });
  const sink = createSink(flags.output, renderers);
  const notices = new Notices(flags.source);
  await showViews(views$, (view) => {
    if (notices.tell(view)) sink.interrupted();
    sink.show(view);
  });
  return 0;
}

async function loadRenderers(): Promise<Renderers<ConversationsView>> {
  const [records, { renderConversationsTable }] = await Promise.all([
    import('../output/conversationsrecords.ts'),
    import('../output/conversationstable.ts'),
  ]);
  return {
    ndjson: records.renderConversationsNdjson,
    csvHeader: records.conversationsCsvHeader,
    csv: records.renderConversationsCsv,
    table: renderConversationsTable,
  };
}

/** On stderr, each thing once. */
class Notices {
  readonly #isAuto: boolean;
  readonly #said = new Set<string>();

  constructor(by: ConversationsBy | undefined) {
    this.#isAuto = by === undefined || by === 'auto';
  }

  /** @returns true where something was written. */
  tell(view: ConversationsView): boolean {
    const lines = [...this.#bridges(view), ...losses(view)].filter((line) => !this.#said.has(line));
    for (const line of lines) {
      this.#said.add(line);
      writeError(`vsb: ${line}`);
    }
    return lines.length > 0;
  }

  #bridges({ bridges, sources }: ConversationsView): string[] {
    if (bridges.length === 0) return ['Nothing to show: this Open vSwitch has no bridge to look at.'];
    return bridges.flatMap((bridge) => {
      const [first, ...others] = sources.filter((source) => source.bridge === bridge);
      if (!first || others.length > 0) return [];
      const what = `${first.families} by ${first.kind}, ${first.quality}`;
      if (this.#isAuto) return [`Bridge "${bridge}" has exporters already. What is free: ${what}.`];
      return first.families === 'IPv4' ? [`Bridge "${bridge}" tells of IPv4 alone.`] : [];
    });
  }
}

function losses({ leftOut, sources }: ConversationsView): string[] {
  const lost = sources.filter(({ counts }) => counts.lost > 0 || counts.restarts > 0);
  return [
    ...lost.map(
      ({ bridge, kind }) =>
        `Bridge "${bridge}" has told of more than came here (${kind}): figures are lower bounds from now on.`,
    ),
    ...(leftOut.conversations > 0
      ? ['There are more conversations than are shown: see --most. Those with most bytes are.']
      : []),
  ];
}

function toCountOption(text: string): number {
  const count = Number(text);
  if (!Number.isInteger(count) || count < 1 || count > 1_000_000)
    throw new InvalidArgumentError('Write a whole number from 1 to 1000000.');
  return count;
}
