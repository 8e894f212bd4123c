import { checkSaveFolder } from '../saved-model/save-model.js';
import { SavedModelError } from '../saved-model/saved-model-error.js';
import { UsageError } from './usage-error.js';

/** @throws UsageError if no model can be saved to the folder that `--save` names. */
export async function checkSave(folder: string): Promise<void> {
  try {
    await checkSaveFolder(folder);
  } catch (error) {
    if (error instanceof SavedModelError) throw new UsageError(`--save: ${error.message}`);
    throw error;
  }
}
