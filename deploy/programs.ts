import { serve } from '../consumer/serve.js';
import type { Program } from '../src/config/program.js';
import { doctor } from './doctor.js';
import { setup } from './setup.js';

/** Every program of `millrace`, in the order of its help. */
export const programs: readonly Program[] = [serve, setup, doctor];
