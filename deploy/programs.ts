import { serve } from '../consumer/serve.js';
import { generate } from '../producer/generate.js';
import { produce } from '../producer/produce.js';
import type { Program } from '../src/config/program.js';
import { doctor } from './doctor.js';
import { setup } from './setup.js';

/** Every program of `millrace`, in the order of its help. */
export const programs: readonly Program[] = [produce, generate, serve, setup, doctor];
