/**
 * What a pool takes up of its store: `jobs` that stand alone, and runs when it is asked; only `runs`, and the jobs that
 * stand alone are left to another pool; or runs only to `cancel` them: nothing starts, and what their jobs name need not
 * be there.
 */
export type PoolPurpose = 'jobs' | 'runs' | 'cancel'
