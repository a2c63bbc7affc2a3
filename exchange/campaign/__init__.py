"""Points used in a campaign (活动使用): owed as a redemption is."""
