import type * as core from '@tensorflow/tfjs-core';

/** The kernels that training needs and the WASM backend of 4.22 lacks; all take and give plain float or int tensors. */
const lent = [
  'Conv2DBackpropFilter',
  'DepthwiseConv2dNativeBackpropFilter',
  'DepthwiseConv2dNativeBackpropInput',
  'Einsum',
  'UnsortedSegmentSum',
] as const;

interface DataBackend {
  readSync(dataId: core.DataId): core.BackendValues;
}
interface CpuBackend extends DataBackend {
  /** While true, the next kernel advises people to use the native package. */
  firstUse: boolean;
  makeTensorInfo(shape: number[], dtype: core.DataType, values: core.BackendValues): core.TensorInfo;
  disposeIntermediateTensorInfo(info: core.TensorInfo): void;
}
interface WasmBackend extends DataBackend {
  write(values: core.BackendValues, shape: number[], dtype: core.DataType): core.DataId;
}

/** Lets the WASM backend use the CPU backend's kernels where it has none: inputs and results are copied across. */
export function lendCpuKernels(tf: typeof core): void {
  const cpu = tf.findBackend('cpu') as unknown as CpuBackend;
  cpu.firstUse = false;
  for (const kernelName of lent) {
    const kernel = tf.getKernel(kernelName, 'cpu');
    tf.registerKernel({
      kernelName,
      backendName: 'wasm',
      kernelFunc: ({ inputs, attrs, backend }) => {
        const wasm = backend as unknown as WasmBackend;
        const borrow = (info: core.TensorInfo) =>
          cpu.makeTensorInfo(info.shape, info.dtype, wasm.readSync(info.dataId));
        const copies = Object.entries(inputs).map(
          ([name, info]) =>
            [name, Array.isArray(info) ? info.map(borrow) : borrow(info as core.TensorInfo)] as const,
        );
        const output = kernel.kernelFunc({
          inputs: Object.fromEntries(copies) as core.NamedTensorInfoMap,
          backend: cpu,
          attrs,
        }) as core.TensorInfo;
        const values = cpu.readSync(output.dataId);
        const { shape, dtype } = output;
        for (const info of [...copies.flatMap(([, each]) => each), output])
          cpu.disposeIntermediateTensorInfo(info);
        return { dataId: wasm.write(values, shape, dtype), shape, dtype };
      },
    });
  }
}
