/** Topology file text → topology, or every issue at once. Pure: reading the file is app/'s. */
import { fail } from '../errors.ts';
import { checkTopology } from './check.ts';
import { toFindings } from './decode.ts';
import { toIssues, type Issue } from './issues.ts';
import { decodeTopology, type TopologyDocument } from './schema.ts';
import { parseYaml } from './yaml.ts';

/** A topology file without issues, as it was written. */
export interface Topology {
  /** Where it was read from: paths in it start there. */
  readonly file: string;
  readonly document: TopologyDocument;
  /** Names of VMs in the order of the file. */
  readonly vmNames: readonly string[];
}

/** What reading gives. */
export type ReadResult =
  | { readonly ok: true; readonly topology: Topology }
  | { readonly ok: false; readonly issues: readonly Issue[] };

/**
 * Reads a topology file.
 * @param file its absolute path
 * @returns the topology; or all issues, sorted by place. A text that is no YAML has one issue.
 */
export function readTopology(text: string, file: string): ReadResult {
  const yaml = parseYaml(text);
  if (!yaml.ok) {
    const { why, place } = yaml.fault;
    return {
      ok: false,
      issues: [{ code: 'YAML_SYNTAX', message: fail('YAML_SYNTAX', { why }).message, ...place, path: [] }],
    };
  }
  const { value, duplicates } = yaml.document;
  const decoded = decodeTopology(value);
  const findings = [...(decoded.ok ? [] : toFindings(decoded.issues, value)), ...checkTopology(value)];
  if (decoded.ok && findings.length === 0 && duplicates.length === 0) {
    const vmNames = namesInOrder(Object.keys(decoded.document.vms ?? {}), () =>
      yaml.document.keysOf(['vms']),
    );
    return { ok: true, topology: { file, document: decoded.document, vmNames } };
  }
  return { ok: false, issues: toIssues(findings, duplicates, yaml.document) };
}

/** Objects list whole-number keys first; only where there is such a name the text has to be asked. */
function namesInOrder(names: readonly string[], fromText: () => readonly string[]): readonly string[] {
  return names.some((name) => /^\d+$/.test(name)) ? fromText() : names;
}
