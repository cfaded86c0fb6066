/** Which verbs there are. Each verb's file is loaded when it is called; all of them for help and completion. */
import type { Command } from 'commander';
import { heedNo } from './options.ts';
import type { AddVerb } from './verb.ts';

/** Verb → its file, in the order of the help. */
const VERBS: Readonly<Record<string, () => Promise<{ add: AddVerb }>>> = {
  validate: () => import('./validate.ts'),
  schema: () => import('./schema.ts'),
  plan: () => import('./plan.ts'),
  apply: () => import('./apply.ts'),
  destroy: () => import('./destroy.ts'),
  show: () => import('./show.ts'),
  doctor: () => import('./doctor.ts'),
  vm: () => import('./vm.ts'),
  disk: () => import('./disk.ts'),
  compare: () => import('./compare.ts'),
  watch: () => import('./watch.ts'),
  matrix: () => import('./matrix.ts'),
  top: () => import('./top.ts'),
  capture: () => import('./capture.ts'),
  trace: () => import('./trace.ts'),
  path: () => import('./path.ts'),
  graph: () => import('./graph.ts'),
  metrics: () => import('./metrics.ts'),
  sandbox: () => import('./sandbox.ts'),
  completion: () => import('./completion.ts'),
};

/** Adds the verb that is called, or all of them where none is known by that name. */
export async function addVerb(program: Command, name: string | undefined): Promise<void> {
  const load = VERBS[name ?? ''];
  // Completion is about all of them.
  for (const each of load && name !== 'completion' ? [load] : Object.values(VERBS))
    (await each()).add(program);
  heedNo(program);
}
