"""The pages of the console, a module each; whatever stands here with a PAGE is served."""
