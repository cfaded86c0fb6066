/**
 * The OVSDB client as a library of its own, `vswitchboard/ovsdb`: every public name. It knows no bridges, and works with
 * any database that speaks RFC 7047.
 */

// A database, replicated, followed, changed; several of them, and locks, on one connection.
export { OvsdbClient } from './client/client.ts';
export { OvsdbConnection } from './client/connection.ts';
export type { Conditions, MonitorCondition } from './client/conditions.ts';
export type { Lock, LockState } from './client/lock.ts';
export type {
  ConnectionOptions,
  ConnectOptions,
  DatabaseOptions,
  LinkStatus,
  TransactOptions,
} from './client/options.ts';
export type { TlsFiles } from '../jsonrpc/tls.ts';
export type { LinkStats, LogLevel } from '../jsonrpc/link.ts';
export type { BackoffLimits } from '../jsonrpc/reconnect.ts';
export type { WaitForOptions } from './client/waitfor.ts';
export type { Metrics, Resync } from './client/metrics.ts';
export type { Difference } from './client/selfcheck.ts';
export { Snapshot } from './replica/snapshot.ts';
export { Changes, type RowChange } from './replica/changes.ts';
export { rowIndex, type IndexPart, type IndexValue, type RowIndex } from './replica/indexes.ts';

// Transactions, and what becomes of them.
export {
  Transaction,
  type Condition,
  type Input,
  type Mutation,
  type RowInput,
  type Target,
  type WireOperation,
} from './transaction/transaction.ts';
export type { Ref } from './schema/ref.ts';
export type { OperationResult, TransactionOutcome } from './transaction/outcome.ts';
export { updateWithRetries, type RetryOptions, type Updatable } from './client/retry.ts';
export { lint, type LintFinding } from './transaction/lint.ts';

// Schemas: known when the code is written, or at run time only.
export {
  isUuid,
  toUuid,
  type AtomSchema,
  type AtomType,
  type ColumnChoice,
  type ColumnName,
  type ColumnSchema,
  type DatabaseSchema,
  type GenericRow,
  type GenericTables,
  type TableName,
  type TableSchema,
  type Uuid,
} from './schema/schema.ts';
export { parseSchema } from './schema/schemafile.ts';
export { rowTypes, type RowTypesOptions } from './schema/rowtypes.ts';
export { openVSwitch, type OpenVSwitchTables } from './generated/vswitch.ts';
export { ovnNorthbound, type OvnNorthboundTables } from './generated/ovn-nb.ts';
export { ovnSouthbound, type OvnSouthboundTables } from './generated/ovn-sb.ts';

// Open vSwitch's acknowledgement.
export { bumpNextCfg, nextCfgOf, waitForCurCfg } from './client/nextcfg.ts';

// Errors.
export { VsbError } from '../errors.ts';
