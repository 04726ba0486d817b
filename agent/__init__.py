"""The learning agent: network, memories, Muesli, learner, acting, replay."""
