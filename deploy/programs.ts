import { dlqList } from '../consumer/dlq-list.js';
import { dlqReplay } from '../consumer/dlq-replay.js';
import { dlqShow } from '../consumer/dlq-show.js';
import { evaluate } from '../consumer/evaluate.js';
import { fit } from '../consumer/fit.js';
import { modelImport } from '../consumer/model-import.js';
import { modelInspect, modelVerify } from '../consumer/model-inspect.js';
import { predict } from '../consumer/predict.js';
import { serve } from '../consumer/serve.js';
import { generate } from '../producer/generate.js';
import { produce } from '../producer/produce.js';
import type { Program } from '../src/config/program.js';
import { doctor } from './doctor.js';
import { setup } from './setup.js';
import { start } from './start.js';

/** Every program of `millrace`, in the order of its help. */
export const programs: readonly Program[] = [
  start,
  produce,
  generate,
  fit,
  predict,
  evaluate,
  modelImport,
  modelInspect,
  modelVerify,
  serve,
  dlqList,
  dlqShow,
  dlqReplay,
  setup,
  doctor,
];
