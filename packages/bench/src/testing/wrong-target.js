/** A target for a process of the bench to find, whose answers are wrong in one bit from the tenth on. */
export const TARGETS = {
  wrong: async () => ({
    applications: ["echo"],
    serve: async () => 1,
    dialer: async () => async () => {
      let answers = 0;
      return {
        roundTrip: async (message) => {
          const answer = message.slice();
          if (++answers >= 10) answer[40] ^= 1;
          return answer;
        },
        close: async () => {},
      };
    },
  }),
  refusing: async () => ({
    applications: ["echo"],
    serve: async () => {
      throw new Error("no port is free");
    },
    dialer: async () => async () => {},
  }),
};
