/**
 * The public library: every export, by name. What is not here may change in any release.
 *
 *     import { apply, toSettings, watch } from 'vswitchboard';
 *
 *     await apply('lab.vsb.yaml', { settings: toSettings({}), databaseOnly: false, deadlineMs: 10_000, confirm: async () => true });
 *     watch({ settings: toSettings({}), view: 'vms', everyMs: 1000 }).subscribe((view) => console.log(view));
 */

// The two main paths.
export { apply, destroy, plan, type ApplyOptions, type ApplyReport, type PlanOptions } from './app/apply.ts';
export { watch, type View, type ViewName, type WatchOptions } from './app/watch.ts';
export { show } from './app/show.ts';
export { doctor, type Check, type DoctorOptions } from './app/doctor.ts';
export { MetricsSource, type MetricsOptions, type Scrape } from './app/metrics.ts';
export type { MetricFormat } from './output/prometheus.ts';
export { capture, type CaptureEnd, type CaptureOptions, type CaptureResult } from './app/capture.ts';
export { trace, type Trace, type TraceOptions } from './app/trace.ts';
export { toSettings, type SettingFlags, type Settings } from './app/settings.ts';

// The streams that it is made of.
export {
  events,
  pairs,
  portSamples,
  vmRates,
  type PairsView,
  type Reading,
  type StreamOptions,
  type TrafficEvent,
  type VmsView,
} from './app/streams.ts';
export {
  conversations,
  type Conversation,
  type ConversationsBy,
  type ConversationsOptions,
  type ConversationsView,
} from './app/conversations.ts';
export type { OtherEnd, Pair, PairEnd, Quality } from './traffic/pairs/pair.ts';

// Filters on what they show; docs/filter.md.
export { compileFilter, type Filter } from './filter/compile.ts';
export { suggest, type Suggestions } from './filter/suggest.ts';
export type { FieldName, FieldValue, FilterSource } from './filter/fields.ts';
export { CONVERSATION_SOURCE, PAIR_SOURCE, PORT_SOURCE, VM_SOURCE } from './traffic/filtersources.ts';

// Topologies.
export { loadTopology } from './app/topology.ts';
export { readTopology, type ReadResult, type Topology } from './topology/read.ts';
export { resolve } from './topology/resolve.ts';
export { topologyJsonSchema } from './topology/schema.ts';
export { renderIssue, type Issue } from './topology/issues.ts';
export type {
  DesiredBridge,
  DesiredNic,
  DesiredState,
  DesiredUplink,
  DesiredVm,
} from './topology/desired.ts';

// Plans.
export type { Plan } from './plan/plan.ts';
export type { Change, FailedChange, FieldChange, Finding, Impact, Refusal } from './domain.ts';
export type { ShownBridge, ShownPort, ShownSwitch } from './output/show.ts';

// OVSDB.
export {
  OvsdbClient,
  type ConnectOptions,
  type LinkStatus,
  type WaitForOptions,
} from './ovsdb/client/client.ts';
export {
  Transaction,
  type Condition,
  type Mutation,
  type RowInput,
} from './ovsdb/transaction/transaction.ts';
export type { OperationResult, TransactionOutcome } from './ovsdb/transaction/outcome.ts';
export { Snapshot } from './ovsdb/replica/snapshot.ts';
export { toUuid, type ColumnChoice, type DatabaseSchema, type Uuid } from './ovsdb/schema/schema.ts';
export { bumpNextCfg, nextCfgOf, waitForCurCfg } from './ovsdb/client/nextcfg.ts';
export {
  openVSwitch,
  type BridgeRow,
  type InterfaceRow,
  type OpenVSwitchRow,
  type OpenVSwitchTables,
  type PortRow,
} from './ovsdb/generated/vswitch.ts';

// A private Open vSwitch, for trying and for tests.
export {
  findSandbox,
  startSandbox,
  stopSandbox,
  type Sandbox,
  type SandboxOptions,
} from './sandbox/sandbox.ts';

// Errors.
export { errorCodes, VsbError, type ErrorCode } from './errors.ts';
