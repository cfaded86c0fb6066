/**
 * The OVSDB client as a library of its own, `vswitchboard/ovsdb`: every public name. It knows no bridges, and works with
 * any database that speaks RFC 7047.
 */

// A database, replicated, followed, changed; several of them, and locks, on one connection.
export { OvsdbClient } from './client.ts';
export { OvsdbConnection } from './connection.ts';
export type { Conditions, MonitorCondition } from './conditions.ts';
export type { Lock, LockState } from './lock.ts';
export type {
  ConnectionOptions,
  ConnectOptions,
  DatabaseOptions,
  LinkStatus,
  TransactOptions,
} from './options.ts';
export type { WaitForOptions } from './waitfor.ts';
export type { Metrics, Resync } from './metrics.ts';
export type { Difference } from './selfcheck.ts';
export { Snapshot } from './snapshot.ts';
export { Changes, type RowChange } from './changes.ts';
export { rowIndex, type IndexPart, type IndexValue, type RowIndex } from './indexes.ts';

// Transactions, and what becomes of them.
export {
  Transaction,
  type Condition,
  type Input,
  type Mutation,
  type RowInput,
  type Target,
  type WireOperation,
} from './transaction.ts';
export type { Ref } from './ref.ts';
export type { OperationResult, TransactionOutcome } from './outcome.ts';
export { updateWithRetries, type RetryOptions, type Updatable } from './retry.ts';
export { lint, type LintFinding } from './lint.ts';

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
} from './schema.ts';
export { parseSchema } from './schemafile.ts';
export { rowTypes, type RowTypesOptions } from './rowtypes.ts';
export { openVSwitch, type OpenVSwitchTables } from './generated/vswitch.ts';
export { ovnNorthbound, type OvnNorthboundTables } from './generated/ovn-nb.ts';
export { ovnSouthbound, type OvnSouthboundTables } from './generated/ovn-sb.ts';

// Open vSwitch's acknowledgement.
export { bumpNextCfg, nextCfgOf, waitForCurCfg } from './nextcfg.ts';

// Errors.
export { VsbError } from '../errors.ts';
