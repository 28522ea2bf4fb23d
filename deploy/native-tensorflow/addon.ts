import { mkdir, rename, rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { runCommand } from '../bootstrap/command.mjs';
import type { BuildTools } from './prerequisites.js';

/** The newest version of Node-API that tfjs-node 4.22 has a place for; it is in every Node from 12.22 on. */
const nodeApiVersion = 8;

/** The folder of tfjs-node in the folder of a build. */
function packageFolder(folder: string): string {
  return join(folder, 'node_modules', '@tensorflow', 'tfjs-node');
}

/** Unpacks the libraries and headers of TensorFlow from its wheel to where tfjs-node looks for them. */
export async function unpackLibraries(
  folder: string,
  wheel: string,
  script: string,
  tools: BuildTools,
): Promise<void> {
  const deps = join(packageFolder(folder), 'deps');
  await runCommand(tools.python.command, [script, wheel, deps]);
  const lib = join(deps, 'lib');
  // Symbols for debuggers are a quarter of the size. Without binutils they stay.
  await runCommand('strip', [
    '--strip-unneeded',
    join(lib, 'libtensorflow_cc.so.2'),
    join(lib, 'libtensorflow_framework.so.2'),
  ]).catch(() => {});
  await symlink('libtensorflow_cc.so.2', join(lib, 'libtensorflow.so'));
  await symlink('libtensorflow_framework.so.2', join(lib, 'libtensorflow_framework.so'));
}

/** Compiles the addon of tfjs-node against Node-API, which needs neither node-gyp nor the headers of Node. */
export async function compileAddon(folder: string, tools: BuildTools): Promise<void> {
  const tfjs = packageFolder(folder);
  const headers = join(folder, 'node_modules', 'node-api-headers', 'include');
  const target = join(tfjs, 'lib', `napi-v${nodeApiVersion}`);
  await mkdir(target, { recursive: true });
  await runCommand(tools.compiler.command, [
    ...['-O2', '-std=c++17', '-fPIC', '-shared'],
    ...[
      `-DNAPI_VERSION=${nodeApiVersion}`,
      '-DNODE_GYP_MODULE_NAME=tfjs_binding',
      '-DBUILDING_NODE_EXTENSION',
    ],
    ...[`-I${headers}`, `-I${join(tfjs, 'deps', 'include')}`],
    ...[join(tfjs, 'binding', 'tfjs_backend.cc'), join(tfjs, 'binding', 'tfjs_binding.cc')],
    ...['-o', join(target, 'tfjs_binding.node.partial')],
    ...[`-L${join(tfjs, 'deps', 'lib')}`, '-ltensorflow', '-ltensorflow_framework'],
    '-Wl,-rpath,$ORIGIN/../../deps/lib',
  ]);
  await rename(join(target, 'tfjs_binding.node.partial'), join(target, 'tfjs_binding.node'));
  await rm(join(tfjs, 'deps', 'include'), { recursive: true });
}
