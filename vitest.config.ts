import { defineConfig } from "vitest/config";

// Tests run from the sources: the `pawl-source` condition of every exports map points at TypeScript. Processes that a test
// forks inherit the condition, and a loader where Node.js reads no TypeScript by itself (before 22.18). The command and the
// thread of the key database are started from the build, which is brought up to date first.
const loader = "typescript" in process.features ? [] : ["--import", "tsx/esm"];
const execArgv = ["--conditions=pawl-source", ...loader];

export default defineConfig({
  resolve: {
    conditions: ["pawl-source", "node", "import", "default"],
    alias: [{ find: /^\.\/spawn\.ts$/, replacement: `${import.meta.dirname}/test/support/spawn-built.ts` }],
  },
  ssr: {
    resolve: {
      conditions: ["pawl-source", "node", "import", "default"],
      externalConditions: ["pawl-source"],
    },
  },
  test: {
    pool: "forks",
    globalSetup: "test/support/global-setup.ts",
    execArgv,
    // Everything with the provider that this machine has; the core and its vectors with the one that every machine has, too.
    projects: [
      {
        extends: true,
        test: {
          name: "default",
          include: ["packages/*/src/**/*.test.ts", "test/**/*.test.ts", "vectors/**/*.test.ts"],
        },
      },
      {
        extends: true,
        test: {
          name: "node",
          include: ["packages/protocol/src/**/*.test.ts", "vectors/**/*.test.ts"],
          exclude: ["packages/protocol/src/crypto/native/**"],
          env: { PAWL_CRYPTO: "node" },
        },
      },
    ],
    // A busy machine is no failure.
    expect: { poll: { timeout: 15_000 } },
    testTimeout: 30_000,
    hookTimeout: 30_000,
    coverage: {
      provider: "v8",
      include: ["packages/*/src/**/*.ts"],
      exclude: ["**/*.test.ts", "**/testing/**", "packages/cli/src/main.ts"],
      reporter: ["text-summary", ["text", { skipFull: true }]],
      thresholds: { "packages/protocol/src/**": { lines: 95 } },
    },
  },
});
