export { createDebugRoutes, type DebugRoutesOptions } from './routes.ts'
export type { DebugReport, MethodReport } from './report.ts'
export type { ProcessView, ServerView, ShownTypes } from './server-view.ts'
