"""A server's page in the Admin System: onboarding, credentials, who has access and why."""
