import { join } from 'node:path';

/** What the native build is made of. A change of any part makes a new folder, so that no stale build is ever loaded. */
export const nativeVersions = {
  /** The npm package `@tensorflow/tfjs-node`. */
  tfjsNode: '4.22.0',
  /** The TensorFlow libraries, from PyPI's `tensorflow-cpu`. */
  tensorflow: '2.12.1',
} as const;

/**
 * The folder whose `node_modules` holds the finished native build of `@tensorflow/tfjs-node`. It exists only when the
 * build is complete and was checked, because it is renamed into place as the last step of `millrace setup`.
 * Load it by `createRequire(join(folder, 'package.json'))('@tensorflow/tfjs-node')`.
 */
export function nativeTensorFlowFolder(
  cacheFolder: string,
  platform: string = process.platform,
  arch: string = process.arch,
): string {
  const { tfjsNode, tensorflow } = nativeVersions;
  return join(cacheFolder, `tensorflow-${tensorflow}-tfjs-${tfjsNode}-${platform}-${arch}`);
}
