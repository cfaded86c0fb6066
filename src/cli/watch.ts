/** `vsb watch`: traffic as a live table, NDJSON or CSV. Flags, the terminal and the end; the rest is app/watch.ts. */
import { Argument, Option } from 'commander';
import type { Observable } from 'rxjs';
import type { View, ViewName } from '../app/watch.ts';
import { addSwitchOptions, outputOption, toTimerOption, whereOption } from './options.ts';
import { runVerb, type AddVerb } from './verb.ts';
import {
  addConversationsOptions,
  refuseConversationsFlags,
  showConversations,
  type ConversationsFlags,
} from './watchconversations.ts';
import { WatchNotices } from './watchnotices.ts';
import { createSink, showViews, type Renderers, type Sink, type WatchFlags } from './watchsink.ts';

/** The reading of the last tick of `--for` is still on its way when the time is over. */
const LAST_READING_MS = 100;

export const add: AddVerb = (program) => {
  const command = program
    .command('watch')
    .description('show what ports and VMs send and receive, and who sends to whom, live')
    .addArgument(
      new Argument(
        '<view>',
        'ports: every port of every bridge; vms: NICs grouped by VM; pairs: who sends to whom; ' +
          'conversations: by addresses and ports, too (has the switch export flows meanwhile)',
      ).choices(['ports', 'vms', 'pairs', 'conversations']),
    )
    .addOption(
      new Option('--every <duration>', 'time from one view to the next')
        .argParser(toTimerOption)
        .default(1000, '1s')
        .env('VSB_WATCH_EVERY'),
    )
    .addOption(
      new Option('--for <duration>', 'end after this time (default: never)')
        .argParser(toTimerOption)
        .env('VSB_WATCH_FOR'),
    )
    .addOption(new Option('--bridge <names...>', 'only these bridges (default: all)').env('VSB_WATCH_BRIDGE'))
    .addOption(whereOption())
    .addOption(outputOption(['table', 'ndjson', 'csv'], 'table', 'VSB_WATCH_OUTPUT'))
    .addHelpText(
      'after',
      '\nSent and received are seen from the VM. What is not known is "-", or left out. Fields: docs/watch.md.\n' +
        '\nExamples:\n  vsb watch vms\n  vsb watch pairs\n  vsb watch conversations --vm web1 --for 60s\n' +
        "  vsb watch pairs --where 'from=web* and to=uplink and rate > 1M'\n" +
        '  vsb watch ports --bridge br0 --every 500ms --for 10s -o csv > ports.csv\n' +
        '  vsb watch vms -o ndjson | jq \'select(.kind == "vm") | [.vm, .sentBitsPerSecond]\'\n',
    );
  addConversationsOptions(command);
  addSwitchOptions(command).action((view: ViewName | 'conversations', flags: ConversationsFlags) =>
    runVerb(flags.logLevel, () =>
      view === 'conversations' ? showConversations(flags) : showTraffic(view, flags),
    ),
  );
};

async function showTraffic(view: ViewName, flags: ConversationsFlags): Promise<number> {
  refuseConversationsFlags(view, flags);
  const [{ watch }, { toSettings }, renderers] = await Promise.all([
    import('../app/watch.ts'),
    import('../app/settings.ts'),
    loadRenderers(),
  ]);
  const views$ = watch({
    settings: toSettings(flags),
    view,
    everyMs: flags.every,
    where: flags.where,
    ...(flags.bridge ? { bridges: flags.bridge } : {}),
  });
  await showUntilEnd(views$, flags, createSink(flags.output, renderers));
  return 0;
}

/** Shows views until the time is over or the user has had enough. */
async function showUntilEnd(views$: Observable<View>, flags: WatchFlags, sink: Sink<View>): Promise<void> {
  const notices = new WatchNotices('Waiting for one.', flags.where.trim() !== '');
  let timer: NodeJS.Timeout | undefined;
  try {
    await showViews(views$, (view, end) => {
      if (notices.tell(view)) sink.interrupted();
      sink.show(view);
      if (flags.for !== undefined)
        timer ??= setTimeout(end, flags.for + Math.min(flags.every / 2, LAST_READING_MS));
    });
  } finally {
    clearTimeout(timer);
  }
}

async function loadRenderers(): Promise<Renderers<View>> {
  const [{ renderWatchNdjson }, { renderWatchCsv, watchCsvHeader }, { renderWatchTable }] = await Promise.all(
    [import('../output/watchndjson.ts'), import('../output/watchcsv.ts'), import('../output/watchtable.ts')],
  );
  return {
    ndjson: renderWatchNdjson,
    csvHeader: ({ view }) => watchCsvHeader(view),
    csv: renderWatchCsv,
    table: renderWatchTable,
  };
}
